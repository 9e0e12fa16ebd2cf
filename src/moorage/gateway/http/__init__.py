"""HTTP requests to providers: one transport for all, with limits of time, size and address."""
