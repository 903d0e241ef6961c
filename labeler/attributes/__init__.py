"""Attributes: what is asked, its revisions, its audits on demand and its threshold goals."""
