"""The whole platform on this machine without Docker: private PostgreSQL, RabbitMQ, mail catcher and every service."""
