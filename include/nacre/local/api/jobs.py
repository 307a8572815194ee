"""Create, describe, list, stop and delete for the three kinds of jobs."""

from include.nacre.local.api.checks import check_job, check_quotas
from include.nacre.local.api.creation import add, body_of
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.jobrecord import (
    JobKind,
    after,
    description,
    fated,
    is_spot,
    new_job,
)
from include.nacre.local.lifecycle import ENDED, IllegalMove
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from include.nacre.local.store import Resource
from include.nacre.local.world import World


def create_job(world: World, kind: JobKind, request: Request) -> Response:
    """Accept a job, or refuse it for everything that is wrong with it."""
    job = new_job(kind, world.place, request[kind.name_key], body_of(request), world.clock())
    # Before all other checks: whoever sends a job again shall learn that it exists.
    if world.store.by_arn(job.arn):
        raise ResourceInUseError(kind.taken.format(arn=job.arn))
    check_job(world, kind, request)
    with world.store.transaction():  # of two that come at once, one may have the quota's last
        if world.store.by_arn(job.arn):
            raise ResourceInUseError(kind.taken.format(arn=job.arn))
        check_quotas(world, kind, job)
        fate = world.faults.of_job(kind.word, job.name, is_spot=is_spot(job))
        add(world, fated(job, fate), request, kind.taken, ResourceInUseError)
    world.jobs.submitted(kind.kind, job.name)
    return {kind.arn_key: job.arn}


def describe_job(world: World, kind: JobKind, request: Request) -> Response:
    """All that is known of a job."""
    return description(_found(world, kind, request))


def list_jobs(world: World, kind: JobKind, request: Request) -> Response:
    """One page of the jobs of a kind."""
    # Both peculiarities are the service's, says its documentation.
    listing = Listing(
        kind.kind,
        f"{kind.word}JobSummaries",
        description,
        descending=kind.kind == "transform",
        counts_all=kind.kind == "training",
    )
    return listed(world.store, listing, request)


def stop_job(world: World, kind: JobKind, request: Request) -> Response:
    """Ask a running job to end."""
    job = _found(world, kind, request)
    try:
        world.store.update(
            kind.kind, job.name, lambda found: after(found, "StopAsked", world.clock())
        )
    except IllegalMove as refused:
        status = _found(world, kind, request).status
        raise ValidationError(
            f"The request was rejected because the {kind.noun} is in status {status}."
        ) from refused
    world.jobs.stop(kind.kind, job.name)
    return {}


def delete_job(world: World, kind: JobKind, request: Request) -> Response:
    """Forget a job that has ended; its name is free again, what it wrote stays where it is."""
    try:
        job = _found(world, kind, request)
    except ValidationError as error:  # this operation has a code of its own for it
        raise ResourceNotFoundError(str(error)) from error
    if job.status not in ENDED or not world.jobs.let_go(kind.kind, job.name):
        raise ResourceInUseError(
            f"The {kind.noun} cannot be deleted because it is in status {job.status}."
        )
    with world.store.transaction():
        found = world.store.get(kind.kind, job.name)
        if found and found.created == job.created:  # else another call was faster
            world.store.delete(kind.kind, job.name)
    return {}


def _found(world: World, kind: JobKind, request: Request) -> Resource:
    name = request[kind.name_key]
    # Names that differ in case alone are one name; who has it from an ARN has it in lower case.
    arn = world.place.arn(f"{kind.kind}-job/{name}")
    job = world.store.get(kind.kind, name) or world.store.by_arn(arn)
    if job is None:
        raise ValidationError(kind.missing.format(name=name))
    return job
