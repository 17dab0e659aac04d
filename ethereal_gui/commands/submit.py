"""``ethereal submit``: put a batch into the queue."""

import argparse
import json
import sys

from ethereal_gui.commands.batches import read_choices
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings
from ethereal_gui.worker.probing import Prober


async def submit_command(options: argparse.Namespace, prober: Prober) -> int:
    """Submit; prints the batch id, or {batchId, jobIds} as JSON. 1 when some files were refused."""
    settings = load_settings()
    choices = await read_choices(options, settings, prober)
    if not choices.audio_files:
        print("ethereal: nothing to submit.", file=sys.stderr)
        return 1
    service = RenderService(settings)
    await service.start(worker=False)
    try:
        batch = await service.submit(
            choices.audio_files, choices.template, choices.formats, choices.options, options.batch_id
        )
        workers = await service.workers()
    finally:
        await service.close()
    if options.json:
        print(json.dumps({"batchId": batch.batch_id, "jobIds": list(batch.job_ids)}))
    else:
        print(batch.batch_id)
        count = len(batch.job_ids)
        print(f"{count} {'video' if count == 1 else 'videos'} queued.", file=sys.stderr)
        if not workers:
            print("No worker is running: open the window or start `ethereal worker`.", file=sys.stderr)
    return 1 if choices.skipped else 0
