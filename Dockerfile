# flux2build as an image that runs as any user:
#
#   docker build --tag flux2build .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/project" flux2build check
#
# What was paid for is kept in /data: give it a volume where a build may buy.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

COPY . /src
RUN pip install --no-cache-dir "/src[lettering,provenance]" \
    && rm -rf /src \
    # A user without a name owns neither the project nor a home.
    && git config --system --add safe.directory '*' \
    && mkdir --mode=1777 /data

ENV FLUX2BUILD_HOME=/data HOME=/tmp PYTHONDONTWRITEBYTECODE=1
VOLUME /data
WORKDIR /project
ENTRYPOINT ["flux2build"]
CMD ["check"]
