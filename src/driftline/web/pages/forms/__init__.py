"""The forms that make endpoints, baselines, schedules and alarms; what is filled in is told in other ways."""
