"""RabbitMQ: what is said leaves by the relay, what is heard comes to the listeners, each event once."""

from chassis.amqp.listeners import Listeners, Park
from chassis.amqp.parked import wake

__all__ = ["Listeners", "Park", "wake"]
