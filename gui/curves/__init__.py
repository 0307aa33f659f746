"""What a training run wrote about itself, read from its folder; and how it is drawn. ``runs`` knows no Qt."""
