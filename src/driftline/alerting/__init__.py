"""Metrics, alarms and notification."""
