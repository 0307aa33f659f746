"""What training and exported models cost, and what others' packages cost."""
