"""AWS JSON 1.1 as pure functions: no socket, clock or process below this package."""
