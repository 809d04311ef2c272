"""What runs what: commands followed to the scripts, tasks, pipelines and code behind them."""
