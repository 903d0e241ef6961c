"""What the pages show, as plain values: read models without Flask, each bounded in rows and cost."""
