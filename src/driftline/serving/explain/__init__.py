"""Why a model predicts what it predicts: Shapley values of its features, exact where the model is known."""
