"""The endpoints as a Django project."""
