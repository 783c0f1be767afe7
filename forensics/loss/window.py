"""stub"""


def work_out(work, entries, found):
    return {"backup_at": None, "incident_at": None, "seconds": None, "unobservable": []}
