# One file, two images: `attune` (web app, workers, schedule) and `label-studio`, whose pins clash with ours.
ARG PYTHON=3.11.11-slim-bookworm

FROM python:${PYTHON} AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 1000 attune && mkdir /workspace /label-studio && chown attune /workspace /label-studio

FROM base AS label-studio
ARG LABEL_STUDIO=1.23.2
COPY labeler/label_studio/constraints-label-studio.txt /tmp/constraints.txt
RUN pip install --constraint /tmp/constraints.txt "label-studio==${LABEL_STUDIO}"
USER attune
VOLUME /label-studio
EXPOSE 8701
CMD ["label-studio", "start", "--no-browser", "--internal-host", "0.0.0.0", "--port", "8701"]

FROM base AS attune
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY models models
COPY labeler labeler
COPY workers workers
RUN pip install --constraint constraints.txt ".[postgres,remote]"
USER attune
VOLUME /workspace
EXPOSE 8700
CMD ["python", "-m", "labeler.web.serve"]
