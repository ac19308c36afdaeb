# docker build -t tenk .        docker run -p 8080:8080 -v tenk:/var/lib/tenk tenk
#
# The image has no shell and no packages: the program, tini to start it, and the libraries that they
# are linked with. tenk is all that runs, as a user of its own, and writes to /var/lib/tenk alone.
ARG BASE=debian:13-slim

FROM ${BASE} AS build
WORKDIR /tenk
COPY .ci/install .ci/
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends ca-certificates make tini \
 && .ci/install unit
COPY . .
# Debug information stays, compressed: a blocked loop is reported with file and line. The tests are those that
# wait for no outage, with patience for a builder that has other things to do.
RUN make -j"$(nproc)" CFLAGS=-gz all build/tests/run-unit && CK_EXCLUDE_TAGS=faults make CFLAGS=-gz SLOWER_plain=10 unit
RUN make CFLAGS=-gz install DESTDIR=/image PREFIX=/usr && rm -r /image/usr/share/man /image/usr/lib/systemd \
 && .ci/root /image /image/usr/bin/tenk /usr/bin/tini && mkdir /data

# What compose.yaml's load profile runs.
FROM ${BASE} AS load
RUN apt-get update -q && apt-get install -y -q --no-install-recommends wrk && rm -rf /var/lib/apt/lists
COPY loadtest/load.lua /
USER 10001:10001
ENTRYPOINT ["wrk", "--script", "/load.lua", "--latency"]

FROM scratch AS tenk
COPY --from=build /image /
COPY --from=build --chown=10001:10001 /data /var/lib/tenk
ENV HOST=0.0.0.0 PORT=8080 DATABASE_URL=sqlite:/var/lib/tenk/tenk.db TENK_SERVER_SECCOMP=on
USER 10001:10001
WORKDIR /var/lib/tenk
VOLUME /var/lib/tenk
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/bin/tenk", "--healthcheck"]
# tini hands signals on and reaps what nobody else waits for, as the first process has to.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "/usr/bin/tenk"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tenk" \
      org.opencontainers.image.description="An HTTP and database server in C, with async/await" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
