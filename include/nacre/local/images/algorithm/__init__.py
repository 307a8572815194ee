"""The built-in XGBoost algorithm: training and prediction without a script of the user's."""
