"""What `make` runs: set-up helpers, `up`, `demo`, `bench`. Not part of the product."""
