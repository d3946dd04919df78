"""The two ways in which there can be no broker."""


class BrokerError(Exception):
    """Base of what this package raises; its text is one message for a person."""


class BrokerMissing(BrokerError):
    """Nothing here can run RabbitMQ: somebody must install something."""


class BrokerFailed(BrokerError):
    """RabbitMQ is here but would not do what was asked: somebody must read why."""
