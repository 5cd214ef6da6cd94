"""Model quality: how predictions of one of three problem types compare with the truth."""
