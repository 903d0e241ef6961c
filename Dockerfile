# One file, two images: `attune` (web app, workers, schedule) and `label-studio`, whose pins clash with ours.
# The digest says which image the tag meant; docs/how-to/run-in-docker.md, "Newer images", says how to look up another.
ARG PYTHON=3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3

FROM python:${PYTHON} AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 1000 attune && mkdir /workspace /label-studio && chown attune /workspace /label-studio
COPY docker/install_lock.sh /usr/local/share/

FROM base AS label-studio
COPY labeler/label_studio/label-studio.lock /tmp/
RUN sh /usr/local/share/install_lock.sh /tmp/label-studio.lock
# Attune's settings for it, and its list of who may open what.
COPY labeler/label_studio/django /attune
USER attune
VOLUME /label-studio
EXPOSE 8701
CMD ["label-studio", "start", "--no-browser", "--internal-host", "0.0.0.0", "--port", "8701"]

FROM base AS attune
WORKDIR /app
COPY requirements.lock ./
RUN sh /usr/local/share/install_lock.sh requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY attune attune
COPY models models
COPY labeler labeler
COPY workers workers
RUN pip install --no-deps --no-build-isolation .
# What was installed runs, never what lies in the folder that a command is called in.
ENV PYTHONSAFEPATH=1
USER attune
VOLUME /workspace
EXPOSE 8700
CMD ["python", "-m", "attune.labeler.web.serve"]
