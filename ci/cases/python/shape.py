def shaped(config, totals):
    return {"title": config["title"], **totals}
