"""Configuration: `readiness.toml` to a checked model."""
