"""The only place that knows the tables' keys and expressions. Each store speaks DynamoDB's JSON through the port."""
