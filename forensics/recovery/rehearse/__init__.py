"""Every way out, carried out on copies."""
