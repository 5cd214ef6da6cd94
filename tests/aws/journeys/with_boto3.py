"""The five journeys with plain boto3: each from an upload to the alarm and the clean-up; prints what it saw."""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from common import (
    ANALYZER,
    BUCKET,
    CHURN,
    CLARIFY,
    FINISHED,
    MODEL,
    ROLE,
    SCORED,
    TRAINING,
    XGBOOST,
    hour,
    label_lines,
    mean_row,
    rows,
    told,
    training_inputs,
    until,
    validation_with_header,
)

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
runtime, cloudwatch, logs = (boto3.client(name) for name in ("sagemaker-runtime", "cloudwatch", "logs"))
LARGE = {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}
INSIDE = "/opt/ml/processing"


class Journey:
    """A model under a name of its own, and everything that is made for it."""

    def __init__(self, kind: str) -> None:
        self.name = f"{kind}-{uuid.uuid4().hex[:8]}"
        self.root = f"s3://{BUCKET}/{self.name}"
        self.facts: dict[str, Any] = {}
        if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=BUCKET)
        self.upload("model.tar.gz", MODEL.read_bytes())
        container = {"Image": XGBOOST, "ModelDataUrl": f"{self.root}/model.tar.gz", "Environment": {}}
        sagemaker.create_model(ModelName=self.name, ExecutionRoleArn=ROLE, PrimaryContainer=container)

    def upload(self, key: str, content: bytes) -> str:
        s3.put_object(Bucket=BUCKET, Key=f"{self.name}/{key}", Body=content)
        return f"{self.root}/{key}"

    def keys(self, prefix: str) -> list[str]:
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def document(self, uri: str) -> dict[str, Any]:
        body = s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def deploy(self) -> None:
        """An endpoint that captures everything, and predictions of every row."""
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"{self.root}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        }
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": self.name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m4.xlarge",
        }
        sagemaker.create_endpoint_config(
            EndpointConfigName=self.name, ProductionVariants=[variant], DataCaptureConfig=capture
        )
        sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=self.name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=self.name)
        self.facts["predictions"] = [
            float(self.ask(row, f"id-{place}")["Body"].read()) for place, row in enumerate(rows())
        ]
        found = until(lambda: self.keys(f"{self.name}/captured/{self.name}/AllTraffic/"), "captures in the bucket")
        lines = [line for key in found for line in self.lines(key)]
        self.facts["captured"] = len(lines)
        self.facts["captured_ids"] = len({line["eventMetadata"]["inferenceId"] for line in lines})

    def ask(self, row: str, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = runtime.invoke_endpoint(
            EndpointName=self.name, ContentType="text/csv", Body=row, InferenceId=name
        )
        return answer

    def lines(self, key: str) -> list[dict[str, Any]]:
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        return [json.loads(line) for line in body.splitlines()]

    def label(self, ids: list[str]) -> str:
        self.upload(f"truth/{hour()}/labels.jsonl", label_lines(ids))
        return f"{self.root}/truth"

    def process(self, inputs: dict[str, tuple[str, str]], output: str, image: str, **environment: str) -> str:
        """Run a processing job to its end; the address of its results."""
        target = f"{self.root}/{output}"
        sagemaker.create_processing_job(
            ProcessingJobName=f"{self.name}-{output}",
            ProcessingResources={"ClusterConfig": LARGE},
            AppSpecification={"ImageUri": image},
            RoleArn=ROLE,
            Environment=environment,
            ProcessingInputs=[
                {
                    "InputName": name,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": path,
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for name, (uri, path) in inputs.items()
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": "result",
                        "S3Output": {"S3Uri": target, "LocalPath": f"{INSIDE}/output", "S3UploadMode": "EndOfJob"},
                    }
                ]
            },
        )
        ended = until(lambda: self.ended(f"{self.name}-{output}"), "end of the processing job")
        if ended["ProcessingJobStatus"] != "Completed":
            raise RuntimeError(f"{ended['ProcessingJobStatus']}: {ended.get('FailureReason')}")
        return target

    def ended(self, job: str) -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=job)
        return found if found["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    def schedule(self, kind: str, expression: str = "cron(0 * ? * * *)", **definition: Any) -> str:
        """A job definition and a schedule over it, both of one name."""
        name = f"{self.name}-{kind.lower()}"[:60]
        resources = {"ClusterConfig": LARGE}
        output = {"MonitoringOutputs": [{"S3Output": {"S3Uri": f"{self.root}/reports", "LocalPath": f"{INSIDE}/out"}}]}
        create = getattr(sagemaker, f"create_{_snake(kind)}_job_definition")
        create(
            JobDefinitionName=name,
            JobResources=resources,
            RoleArn=ROLE,
            **{f"{kind}JobOutputConfig": output},
            **{f"{kind}{part}": value for part, value in definition.items()},
        )
        sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": name,
                "MonitoringType": kind,
                "ScheduleConfig": {"ScheduleExpression": expression},
            },
        )
        return name

    def execution(self, schedule: str, after: str = "") -> dict[str, Any]:
        """The newest execution that has ended, not the one of ``after``; with its job and what it violated."""
        summary = until(lambda: self._newest(schedule, after), f"execution of {schedule}")
        name = summary.get("ProcessingJobArn", "").rpartition("/")[2]
        job = sagemaker.describe_processing_job(ProcessingJobName=name) if name else {}
        status = summary["MonitoringExecutionStatus"]
        found = {"status": status, "job": name, "reason": summary.get("FailureReason"), "exit": job.get("ExitMessage")}
        if status == "CompletedWithViolations":
            report = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
            found["violations"] = self.document(f"{report}/constraint_violations.json")["violations"]
            found["files"] = sorted(key.rpartition("/")[2] for key in self.keys(report.removeprefix(f"s3://{BUCKET}/")))
            found["log"] = len(self.log(name))
        return found

    def _newest(self, schedule: str, after: str) -> dict[str, Any] | None:
        found = sagemaker.list_monitoring_executions(
            MonitoringScheduleName=schedule, SortBy="ScheduledTime", SortOrder="Descending", MaxResults=100
        )["MonitoringExecutionSummaries"]
        ended = [one for one in found if one["MonitoringExecutionStatus"] in FINISHED]
        wanted = [one for one in ended if one["MonitoringExecutionStatus"] != "Failed"]
        return next((one for one in wanted if not one.get("ProcessingJobArn", "").endswith(after or "?")), None)

    def log(self, job: str) -> list[str]:
        group = "/aws/sagemaker/ProcessingJobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        events = [logs.get_log_events(logGroupName=group, logStreamName=one["logStreamName"]) for one in streams]
        return [event["message"] for one in events for event in one["events"]]

    def metrics(self, namespace: str, schedule: str, *, endpoint: bool = True) -> list[str]:
        dimensions = [{"Name": "MonitoringSchedule", "Value": schedule}]
        dimensions += [{"Name": "Endpoint", "Value": self.name}] if endpoint else []
        pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace, Dimensions=dimensions)
        return sorted({metric["MetricName"] for page in pages for metric in page["Metrics"]})

    def alarm(self, namespace: str, metric: str, schedule: str, *, threshold: float, endpoint: bool = True) -> str:
        """An alarm that must be raised: its state once it is no longer without data."""
        dimensions = [{"Name": "MonitoringSchedule", "Value": schedule}]
        dimensions += [{"Name": "Endpoint", "Value": self.name}] if endpoint else []
        cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            MetricName=metric,
            Namespace=namespace,
            Statistic="Average",
            Dimensions=dimensions,
            Period=600,
            EvaluationPeriods=1,
            DatapointsToAlarm=1,
            Threshold=threshold,
            ComparisonOperator="LessThanOrEqualToThreshold",
            TreatMissingData="breaching",
        )

        def state() -> str | None:
            found: str = cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]["StateValue"]
            return None if found == "INSUFFICIENT_DATA" else found

        reached: str = until(state, "state of the alarm")
        history = cloudwatch.describe_alarm_history(AlarmName=self.name, HistoryItemType="StateUpdate")
        self.facts["alarm_history"] = len(history["AlarmHistoryItems"])
        return reached

    def clean(self, *schedules: tuple[str, str]) -> list[str]:
        """Delete everything; the error codes of asking for it again."""
        codes = []
        for schedule, kind in schedules:
            sagemaker.delete_monitoring_schedule(MonitoringScheduleName=schedule)
            codes.append(_code(sagemaker.describe_monitoring_schedule, MonitoringScheduleName=schedule))
            getattr(sagemaker, f"delete_{_snake(kind)}_job_definition")(JobDefinitionName=schedule)
            describe = getattr(sagemaker, f"describe_{_snake(kind)}_job_definition")
            codes.append(_code(describe, JobDefinitionName=schedule))
        cloudwatch.delete_alarms(AlarmNames=[self.name])
        if "captured" in self.facts:
            sagemaker.delete_endpoint(EndpointName=self.name)
            sagemaker.delete_endpoint_config(EndpointConfigName=self.name)
            codes.append(_code(sagemaker.describe_endpoint, EndpointName=self.name))
            codes.append(until(self._refused, "end of the endpoint"))
        sagemaker.delete_model(ModelName=self.name)
        return codes

    def _refused(self) -> str | None:
        """The code with which predictions are refused, once no process serves the model any more."""
        found = _code(runtime.invoke_endpoint, EndpointName=self.name, ContentType="text/csv", Body="1")
        return None if found == "ModelError" else found


def model_quality() -> dict[str, Any]:
    journey = Journey("mq")
    journey.deploy()
    data = journey.upload("data/scored.csv", SCORED.read_bytes())
    source = f"{INSIDE}/input/baseline_dataset_input"
    baseline = journey.process(
        {"baseline_dataset_input": (data, source)},
        "baseline",
        ANALYZER,
        output_path=f"{INSIDE}/output",
        publish_cloudwatch_metrics="Disabled",
        dataset_format=json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
        dataset_source=source,
        analysis_type="MODEL_QUALITY",
        problem_type="BinaryClassification",
        inference_attribute="prediction",
        probability_attribute="probability",
        ground_truth_attribute="label",
    )
    journey.facts["statistics"] = journey.document(f"{baseline}/statistics.json")
    journey.facts["constraints"] = journey.document(f"{baseline}/constraints.json")
    truth = journey.label([f"id-{place}" for place in range(len(rows()))])
    point = {"EndpointName": journey.name, "LocalPath": f"{INSIDE}/input_data", "ProbabilityAttribute": "0"}
    point["ProbabilityThresholdAttribute"] = 0.5
    schedule = journey.schedule(
        "ModelQuality",
        AppSpecification={"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"},
        JobInput={"EndpointInput": point, "GroundTruthS3Input": {"S3Uri": truth}},
        BaselineConfig={"ConstraintsResource": {"S3Uri": f"{baseline}/constraints.json"}},
    )
    journey.facts["execution"] = journey.execution(schedule)
    namespace = "aws/sagemaker/Endpoints/model-metrics"
    journey.facts["metrics"] = journey.metrics(namespace, schedule)
    journey.facts["alarm"] = journey.alarm(namespace, "f2", schedule, threshold=0.625)
    merged = journey.keys(f"{journey.name}/reports/merge/{journey.name}/AllTraffic/")
    journey.facts["merged"] = sum(len(journey.lines(key)) for key in merged)
    journey.facts["gone"] = journey.clean((schedule, "ModelQuality"))
    return journey.facts


def data_quality() -> dict[str, Any]:
    journey = Journey("dq")
    journey.deploy()
    baseline = _data_baseline(journey, TRAINING.read_bytes())
    point = {"EndpointName": journey.name, "LocalPath": f"{INSIDE}/input/endpoint"}
    schedule = journey.schedule(
        "DataQuality",
        AppSpecification={"ImageUri": ANALYZER, "Environment": {"publish_cloudwatch_metrics": "Enabled"}},
        JobInput={"EndpointInput": point},
        BaselineConfig=_files(baseline),
    )
    journey.facts["execution"] = journey.execution(schedule)
    namespace = "/aws/sagemaker/Endpoints/data-metrics"
    journey.facts["metrics"] = journey.metrics(namespace, schedule)
    journey.facts["alarm"] = journey.alarm(namespace, "feature_data_Day Mins", schedule, threshold=1e6)
    journey.facts["gone"] = journey.clean((schedule, "DataQuality"))
    return journey.facts


def bias_and_explainability() -> dict[str, Any]:
    journey = Journey("be")
    journey.deploy()
    with tempfile.TemporaryDirectory() as folder:
        data = journey.upload("data/v.csv", validation_with_header(Path(folder) / "v.csv").read_bytes())
    header = TRAINING.read_text().splitlines()[0].split(",")
    predictor = {
        "model_name": journey.name,
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "content_type": "text/csv",
        "accept_type": "text/csv",
    }
    common = {"dataset_type": "text/csv", "headers": header, "label": "Churn", "predictor": predictor}
    bias = common | {
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}},
        "probability_threshold": 0.8,
    }
    shap = {"baseline": [mean_row()], "num_samples": 100, "agg_method": "mean_abs", "save_local_shap_values": False}
    facts: dict[str, Any] = {"execution": {}, "metrics": {}, "analysis": {}}
    made = []
    truth = journey.label([f"id-{place}" for place in range(len(rows()))])
    for kind, config in (("ModelBias", bias), ("ModelExplainability", common | {"methods": {"shap": shap}})):
        uri = journey.upload(f"{kind}/analysis_config.json", json.dumps(config).encode())
        inputs = {
            "dataset": (data, f"{INSIDE}/input/data"),
            "analysis_config": (uri, f"{INSIDE}/input/config"),
        }
        result = journey.process(inputs, kind, CLARIFY)
        facts["analysis"][kind] = journey.document(f"{result}/analysis.json")
        monitored = {key: value for key, value in config.items() if key not in ("dataset_type", "predictor")}
        if kind == "ModelExplainability":
            monitored["predictor"] = predictor
        uri = journey.upload(f"{kind}/monitoring/analysis_config.json", json.dumps(monitored).encode())
        point: dict[str, Any] = {"EndpointName": journey.name, "LocalPath": f"{INSIDE}/input/endpoint"}
        given: dict[str, Any] = {"EndpointInput": point}
        if kind == "ModelBias":
            point |= {"StartTimeOffset": "-PT1H", "EndTimeOffset": "-PT0H", "ProbabilityThresholdAttribute": 0.8}
            given["GroundTruthS3Input"] = {"S3Uri": truth}
        schedule = journey.schedule(
            kind,
            AppSpecification={"ImageUri": CLARIFY, "ConfigUri": uri},
            JobInput=given,
            BaselineConfig={"BaseliningJobName": f"{journey.name}-{kind}"},
        )
        facts["execution"][kind] = journey.execution(schedule)
        namespace = {"ModelBias": "bias-metrics", "ModelExplainability": "explainability-metrics"}[kind]
        facts["metrics"][kind] = journey.metrics(f"aws/sagemaker/Endpoints/{namespace}", schedule)
        made.append((schedule, kind))
    listed = sagemaker.list_monitoring_schedules(EndpointName=journey.name)["MonitoringScheduleSummaries"]
    facts["schedules"] = sorted(one["MonitoringType"] for one in listed)
    return journey.facts | facts | {"gone": journey.clean(*made)}


def batch_data_quality() -> dict[str, Any]:
    journey = Journey("bd")
    capture = _transform(journey, join=False)
    baseline = _data_baseline(journey, training_inputs())
    schedule = journey.schedule(
        "DataQuality",
        AppSpecification={"ImageUri": ANALYZER},
        JobInput={"BatchTransformInput": _batch_input(capture)},
        BaselineConfig=_files(baseline),
    )
    journey.facts["execution"] = journey.execution(schedule)
    namespace = "aws/sagemaker/ModelMonitoring/data-metrics"
    journey.facts["metrics"] = journey.metrics(namespace, schedule, endpoint=False)
    metric = "feature_data_Day Mins"
    journey.facts["alarm"] = journey.alarm(namespace, metric, schedule, threshold=1e6, endpoint=False)
    journey.facts["gone"] = journey.clean((schedule, "DataQuality"))
    return journey.facts


def batch_model_quality() -> dict[str, Any]:
    journey = Journey("bm")
    capture = _transform(journey, join=True)
    answers = s3.get_object(Bucket=BUCKET, Key=f"{journey.name}/out/rows.csv.out")["Body"].read().decode().splitlines()
    truth = journey.label([line.split(",")[-2] for line in answers])
    data = journey.upload("data/scored.csv", SCORED.read_bytes())
    source = f"{INSIDE}/input/data"
    baseline = journey.process(
        {"data": (data, source)},
        "baseline",
        ANALYZER,
        output_path=f"{INSIDE}/output",
        dataset_format=json.dumps({"csv": {"header": True}}),
        dataset_source=source,
        analysis_type="MODEL_QUALITY",
        problem_type="BinaryClassification",
        probability_attribute="probability",
        ground_truth_attribute="label",
    )
    point = _batch_input(capture) | {"ProbabilityAttribute": "69", "ProbabilityThresholdAttribute": 0.5}
    point |= {"StartTimeOffset": "-PT6H", "EndTimeOffset": "-PT0H"}
    schedule = journey.schedule(
        "ModelQuality",
        AppSpecification={"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"},
        JobInput={"BatchTransformInput": point, "GroundTruthS3Input": {"S3Uri": truth}},
        BaselineConfig={"ConstraintsResource": {"S3Uri": f"{baseline}/constraints.json"}},
    )
    journey.facts["execution"] = journey.execution(schedule)
    namespace = "aws/sagemaker/ModelMonitoring/model-metrics"
    journey.facts["metrics"] = journey.metrics(namespace, schedule, endpoint=False)
    journey.facts["alarm"] = journey.alarm(namespace, "f2", schedule, threshold=0.625, endpoint=False)
    journey.facts["gone"] = journey.clean((schedule, "ModelQuality"))
    return journey.facts


def _data_baseline(journey: Journey, table: bytes) -> str:
    data = journey.upload("data/training.csv", table)
    source = f"{INSIDE}/input/baseline_dataset_input"
    baseline = journey.process(
        {"baseline_dataset_input": (data, source)},
        "baseline",
        ANALYZER,
        output_path=f"{INSIDE}/output",
        publish_cloudwatch_metrics="Disabled",
        dataset_format=json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
        dataset_source=source,
    )
    journey.facts["statistics"] = journey.document(f"{baseline}/statistics.json")
    journey.facts["constraints"] = journey.document(f"{baseline}/constraints.json")
    return baseline


def _transform(journey: Journey, *, join: bool) -> str:
    """A transform of every row, captured; where the captures are."""
    journey.upload("in/rows.csv", (CHURN / "test-dataset-input-cols.csv").read_bytes())
    capture = f"{journey.root}/captured"
    sagemaker.create_transform_job(
        TransformJobName=journey.name,
        ModelName=journey.name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{journey.root}/in"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"{journey.root}/out", "AssembleWith": "Line", "Accept": "text/csv"},
        TransformResources={"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
        DataCaptureConfig={"DestinationS3Uri": capture, "GenerateInferenceId": join},
        **({"DataProcessing": {"JoinSource": "Input"}} if join else {}),
    )

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=journey.name)
        return found if found["TransformJobStatus"] != "InProgress" else None

    found = until(ended, "end of the transform job")
    if found["TransformJobStatus"] != "Completed":
        raise RuntimeError(found.get("FailureReason"))
    manifests = {side: journey.keys(f"{journey.name}/captured/{side}/") for side in ("input", "output")}
    journey.facts["manifests"] = {side: len(keys) for side, keys in manifests.items()}
    lines = s3.get_object(Bucket=BUCKET, Key=f"{journey.name}/out/rows.csv.out")["Body"].read().decode().splitlines()
    place = 69 if join else 0
    journey.facts["predictions"] = [float(line.split(",")[place]) for line in lines]
    return capture


def _batch_input(capture: str) -> dict[str, Any]:
    return {
        "DataCapturedDestinationS3Uri": capture,
        "LocalPath": f"{INSIDE}/input",
        "DatasetFormat": {"Csv": {"Header": False}},
    }


def _files(baseline: str) -> dict[str, Any]:
    return {
        "ConstraintsResource": {"S3Uri": f"{baseline}/constraints.json"},
        "StatisticsResource": {"S3Uri": f"{baseline}/statistics.json"},
    }


def _snake(kind: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")


def _code(call: Any, **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        return code
    return "none"


if __name__ == "__main__":
    told({name: globals()[name]() for name in sys.argv[1:]})
