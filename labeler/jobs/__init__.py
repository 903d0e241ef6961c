"""Ask the workers for jobs: kinds, queues, the learn lease, and what a failure is called."""
