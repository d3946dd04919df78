"""A RabbitMQ for development and tests: found, or started privately, and ended again."""
