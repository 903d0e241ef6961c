"""The console: Flask pages over the read models, the webhook, images by signed address, health."""
