"""One folder a business problem: its pipeline and the scripts that its jobs run."""
