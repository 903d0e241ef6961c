"""A crowd at work on a real stack: experts, owners who look at pages, pipelines that pull; and what it costs."""
