from .scores import ClassificationScores, ForecastScores, forecast_errors, pinball

__all__ = [
    "ClassificationScores",
    "ForecastScores",
    "forecast_errors",
    "pinball",
]
