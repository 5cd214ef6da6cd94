"""Schedules, executions, baselines and labels: time, claims, steps."""
