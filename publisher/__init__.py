"""Every word of AMQP: topology, relay of the outbox, command queue."""
