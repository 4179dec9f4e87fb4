"""Window, viewer, panels, worker and dialogs: all that knows Qt, beside app."""
