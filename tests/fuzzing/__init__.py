"""Fuzzing of the readers of what strangers send: probe files, manifests, tables, webhooks, images."""
