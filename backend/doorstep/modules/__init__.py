"""The departments. Each owns its facts and tables, and none imports another (flows join them)."""
