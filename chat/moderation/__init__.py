"""The moderation of a site: one family of features, with one console."""
