"""How a service stands: HTTP, SQL and AMQP, without one word of the business."""
