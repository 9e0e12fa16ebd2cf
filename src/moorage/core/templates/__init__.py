"""Text and mustache templates, and the lookup of values in inputs."""
