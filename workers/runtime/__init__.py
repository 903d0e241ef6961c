"""What keeps the jobs going: workers, the schedule, and jobs that were lost."""
