# The core of the kit; --build-arg EXTRA='[all]' for reports and notebooks.
FROM python:3.12-slim
ARG EXTRA=""
COPY . /kit
RUN pip install --no-cache-dir "/kit${EXTRA}" && rm -r /kit \
    && useradd --create-home forensics
USER forensics
WORKDIR /home/forensics
ENTRYPOINT ["forensics"]
CMD ["--help"]
