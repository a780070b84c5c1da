"""What is written down: jobs, processes, artifacts, small state. SQLAlchemy Core, SQLite or PostgreSQL."""
