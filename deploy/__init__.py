"""How the platform is put on machines: here without Docker, in compose, and in Kubernetes."""
