"""What the pages ask of a service in one go: functions over a service, one module a subject."""
