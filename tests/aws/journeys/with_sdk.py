"""The five journeys with the SageMaker SDK, version 2 or 3, whichever is installed; prints what it saw."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from common import (
    CHURN,
    INPUT_ROWS,
    MODEL,
    SCORED,
    TRAINING,
    hour,
    impatient,
    label_lines,
    mean_row,
    rows,
    told,
    training_inputs,
    until,
    validation_with_header,
)

try:
    monitoring = importlib.import_module("sagemaker.core.model_monitor")
    VERSION, ROOT = 3, "sagemaker.core"
except ImportError:
    monitoring = importlib.import_module("sagemaker.model_monitor")
    VERSION, ROOT = 2, "sagemaker"
clarify = importlib.import_module(f"{ROOT}.clarify")
s3 = importlib.import_module(f"{ROOT}.s3")
image_uris = importlib.import_module(f"{ROOT}.image_uris")
helper = importlib.import_module("sagemaker.core.helper.session_helper" if VERSION == 3 else "sagemaker.session")

session = helper.Session()
role = helper.get_execution_role(session)
bucket = session.default_bucket()
cloudwatch = session.boto_session.client("cloudwatch")
PLACE = {"role": role, "sagemaker_session": session}
JOB = {"instance_count": 1, "instance_type": "ml.m5.xlarge", "volume_size_in_gb": 20, "max_runtime_in_seconds": 1800}


class Journey:
    """A model under a name of its own, and everything that is made for it."""

    def __init__(self, kind: str) -> None:
        self.name = f"{kind}-{uuid.uuid4().hex[:8]}"
        self.root = f"s3://{bucket}/{self.name}"
        self.facts: dict[str, Any] = {"role": role, "bucket": bucket, "version": VERSION}
        self.image = image_uris.retrieve("xgboost", session.boto_region_name, "0.90-1")
        self.model_data = s3.S3Uploader.upload(str(MODEL), self.root, sagemaker_session=session)

    def deploy(self) -> None:
        captured = f"{self.root}/captured"
        config = monitoring.DataCaptureConfig(
            enable_capture=True, sampling_percentage=100, destination_s3_uri=captured, sagemaker_session=session
        )
        (_deploy_3 if VERSION == 3 else _deploy_2)(self, config)
        client = session.sagemaker_runtime_client
        answers = [
            client.invoke_endpoint(EndpointName=self.name, ContentType="text/csv", Body=row, InferenceId=f"id-{place}")[
                "Body"
            ].read()
            for place, row in enumerate(rows())
        ]
        self.facts["predictions"] = list(map(float, answers))
        place = f"{captured}/{self.name}"
        found = until(lambda: s3.S3Downloader.list(place, sagemaker_session=session), "captures in the bucket")
        lines = [
            line for uri in found for line in s3.S3Downloader.read_file(uri, sagemaker_session=session).split("\n")
        ]
        self.facts["captured"] = len([line for line in lines if line])

    def label(self, ids: list[str]) -> str:
        text = label_lines(ids).decode()
        target = f"{self.root}/truth/{hour()}/labels.jsonl"
        s3.S3Uploader.upload_string_as_file_body(text, target, sagemaker_session=session)
        return f"{self.root}/truth"

    def execution(self, monitor: Any) -> dict[str, Any]:
        """The newest execution that has ended and did not fail."""

        def newest() -> dict[str, Any] | None:
            summary = monitor.describe_schedule().get("LastMonitoringExecutionSummary") or {}
            ended = summary.get("MonitoringExecutionStatus", "").startswith("Completed")
            return summary if ended else None

        summary = until(newest, "execution")
        job, violations = _ended(monitor, summary)
        return {
            "status": summary["MonitoringExecutionStatus"],
            "job": job["ProcessingJobName"],
            "exit": job["ExitMessage"],
            "violations": violations,
        }

    def alarm(self, namespace: str, metric: str, schedule: str, *, endpoint: bool = True) -> str:
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
            Threshold=1e6,
            ComparisonOperator="LessThanOrEqualToThreshold",
        )

        def state() -> str | None:
            found: str = cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]["StateValue"]
            return None if found == "INSUFFICIENT_DATA" else found

        reached: str = until(state, "state of the alarm")
        cloudwatch.delete_alarms(AlarmNames=[self.name])
        return reached

    def clean(self, *monitors: Any) -> list[str]:
        names = [monitor.monitoring_schedule_name for monitor in monitors]
        for monitor in monitors:
            monitor.delete_monitoring_schedule()
        client = session.sagemaker_client
        if "captured" in self.facts:
            client.delete_endpoint(EndpointName=self.name)
            client.delete_endpoint_config(EndpointConfigName=self.name)
        client.delete_model(ModelName=self.name)
        codes = []
        for name in names:
            try:
                client.describe_monitoring_schedule(MonitoringScheduleName=name)
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])
        return codes


def _ended(monitor: Any, summary: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The job of the newest execution that has ended, and what it violated. Version 3 cannot list executions of
    Clarify's monitors: it asks its own object for a name that this does not have."""
    try:
        execution = [one for one in monitor.list_executions() if one.describe().get("ExitMessage")][-1]
        violations = execution.constraint_violations()
        return execution.describe(), [] if violations is None else violations.body_dict["violations"]
    except AttributeError:
        if VERSION == 2:
            raise
    name = summary["ProcessingJobArn"].rpartition("/")[2]
    job = session.sagemaker_client.describe_processing_job(ProcessingJobName=name)
    report = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    if summary["MonitoringExecutionStatus"] != "CompletedWithViolations":
        return job, []
    found = s3.S3Downloader.read_file(f"{report}/constraint_violations.json", sagemaker_session=session)
    return job, json.loads(found)["violations"]


def _deploy_2(journey: Journey, capture: Any) -> None:
    _model_2(journey).deploy(
        initial_instance_count=1,
        instance_type="ml.m4.xlarge",
        endpoint_name=journey.name,
        data_capture_config=capture,
    )


def _model_2(journey: Journey) -> Any:
    kind = importlib.import_module("sagemaker.model").Model
    return kind(image_uri=journey.image, model_data=journey.model_data, name=journey.name, **PLACE)


def _deploy_3(journey: Journey, capture: Any) -> None:
    _model_3(journey)
    resources, shapes = importlib.import_module("sagemaker.core.resources"), _shapes()
    variant = shapes.ProductionVariant(
        variant_name="AllTraffic",
        model_name=journey.name,
        initial_instance_count=1,
        instance_type="ml.m4.xlarge",
        initial_variant_weight=1.0,
    )
    told_of = capture._to_request_dict()
    options = [shapes.CaptureOption(capture_mode=one["CaptureMode"]) for one in told_of["CaptureOptions"]]
    config = shapes.DataCaptureConfig(
        enable_capture=True,
        initial_sampling_percentage=told_of["InitialSamplingPercentage"],
        destination_s3_uri=told_of["DestinationS3Uri"],
        capture_options=options,
    )
    resources.EndpointConfig.create(
        endpoint_config_name=journey.name,
        production_variants=[variant],
        data_capture_config=config,
        session=session.boto_session,
    )
    endpoint = resources.Endpoint.create(
        endpoint_name=journey.name, endpoint_config_name=journey.name, session=session.boto_session
    )
    endpoint.wait_for_status("InService")


def _model_3(journey: Journey) -> None:
    resources, shapes = importlib.import_module("sagemaker.core.resources"), _shapes()
    container = shapes.ContainerDefinition(image=journey.image, model_data_url=journey.model_data)
    resources.Model.create(
        model_name=journey.name,
        primary_container=container,
        execution_role_arn=role,
        session=session.boto_session,
    )


def _shapes() -> Any:
    return importlib.import_module("sagemaker.core.shapes")


def model_quality() -> dict[str, Any]:
    journey = Journey("mq")
    journey.deploy()
    monitor = monitoring.ModelQualityMonitor(**PLACE, **JOB)
    data = s3.S3Uploader.upload(str(SCORED), f"{journey.root}/data", sagemaker_session=session)
    job = monitor.suggest_baseline(
        job_name=f"{journey.name}-baseline",
        baseline_dataset=data,
        dataset_format=monitoring.DatasetFormat.csv(header=True),
        output_s3_uri=f"{journey.root}/baseline",
        problem_type="BinaryClassification",
        inference_attribute="prediction",
        probability_attribute="probability",
        ground_truth_attribute="label",
    )
    job.wait(logs=False)
    baseline = monitor.latest_baselining_job
    journey.facts["statistics"] = baseline.baseline_statistics().body_dict
    journey.facts["constraints"] = baseline.suggested_constraints().body_dict
    truth = journey.label([f"id-{place}" for place in range(len(rows()))])
    monitor.create_monitoring_schedule(
        endpoint_input=monitoring.EndpointInput(
            endpoint_name=journey.name,
            destination="/opt/ml/processing/input_data",
            probability_attribute="0",
            probability_threshold_attribute=0.5,
        ),
        output_s3_uri=f"{journey.root}/reports",
        problem_type="BinaryClassification",
        ground_truth_input=truth,
        constraints=baseline.suggested_constraints(),
        schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    journey.facts["execution"] = journey.execution(monitor)
    namespace = "aws/sagemaker/Endpoints/model-metrics"
    journey.facts["alarm"] = journey.alarm(namespace, "f2", monitor.monitoring_schedule_name)
    journey.facts["gone"] = journey.clean(monitor)
    return journey.facts


def data_quality() -> dict[str, Any]:
    journey = Journey("dq")
    journey.deploy()
    monitor = _data_monitor(journey, TRAINING)
    monitor.create_monitoring_schedule(
        endpoint_input=journey.name,
        output_s3_uri=f"{journey.root}/reports",
        statistics=monitor.baseline_statistics(),
        constraints=monitor.suggested_constraints(),
        schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    journey.facts["execution"] = journey.execution(monitor)
    namespace = "/aws/sagemaker/Endpoints/data-metrics"
    journey.facts["alarm"] = journey.alarm(namespace, "feature_data_Day Mins", monitor.monitoring_schedule_name)
    journey.facts["gone"] = journey.clean(monitor)
    return journey.facts


def bias_and_explainability() -> dict[str, Any]:
    journey = Journey("be")
    journey.deploy()
    header = TRAINING.read_text().splitlines()[0].split(",")
    truth = journey.label([f"id-{place}" for place in range(len(rows()))])
    facts: dict[str, Any] = {"analysis": {}, "execution": {}}
    model = clarify.ModelConfig(
        model_name=journey.name,
        instance_count=1,
        instance_type="ml.m5.large",
        content_type="text/csv",
        accept_type="text/csv",
    )
    monitors = []
    with tempfile.TemporaryDirectory() as folder:
        data = validation_with_header(Path(folder) / "validation.csv")

        def config(kind: str) -> Any:
            return clarify.DataConfig(
                s3_data_input_path=str(data),
                s3_output_path=f"{journey.root}/{kind}",
                label="Churn",
                headers=header,
                dataset_type="text/csv",
            )

        bias = monitoring.ModelBiasMonitor(**PLACE, max_runtime_in_seconds=1800)
        facets = clarify.BiasConfig(
            label_values_or_threshold=[1], facet_name="Account Length", facet_values_or_threshold=[100]
        )
        constraints = _analysed(
            bias,
            f"{journey.root}/bias",
            model_config=model,
            data_config=config("bias"),
            bias_config=facets,
            model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.8),
        )
        facts["analysis"]["ModelBias"] = constraints.body_dict
        bias.create_monitoring_schedule(
            analysis_config=monitoring.BiasAnalysisConfig(facets, headers=header, label="Churn"),
            constraints=constraints,
            output_s3_uri=f"{journey.root}/reports",
            endpoint_input=monitoring.EndpointInput(
                endpoint_name=journey.name,
                destination="/opt/ml/processing/input/endpoint",
                start_time_offset="-PT1H",
                end_time_offset="-PT0H",
                probability_threshold_attribute=0.8,
            ),
            ground_truth_input=truth,
            schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        )
        facts["execution"]["ModelBias"] = journey.execution(bias)
        shap = monitoring.ModelExplainabilityMonitor(**PLACE, max_runtime_in_seconds=1800)
        weights = clarify.SHAPConfig(
            baseline=[mean_row()], num_samples=100, agg_method="mean_abs", save_local_shap_values=False
        )
        constraints = _analysed(
            shap,
            f"{journey.root}/shap",
            data_config=config("shap"),
            model_config=model,
            explainability_config=weights,
        )
        facts["analysis"]["ModelExplainability"] = constraints.body_dict
        shap.create_monitoring_schedule(
            analysis_config=monitoring.ExplainabilityAnalysisConfig(weights, model, headers=header[1:]),
            constraints=constraints,
            output_s3_uri=f"{journey.root}/reports",
            endpoint_input=journey.name,
            schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        )
        facts["execution"]["ModelExplainability"] = journey.execution(shap)
        monitors += [bias, shap]
    return journey.facts | facts | {"gone": journey.clean(*monitors)}


def _analysed(monitor: Any, results: str, **given: Any) -> Any:
    """The constraints of a baseline. Version 3 (sagemaker-core 2.27) starts the job and then looks for a session in it
    that is not there, so there the job is waited for by its name."""
    try:
        monitor.suggest_baseline(**given)
        monitor.latest_baselining_job.wait(logs=False)
        return monitor.suggested_constraints()
    except AttributeError:
        if VERSION == 2:
            raise
    client = session.sagemaker_client
    newest = client.list_processing_jobs(SortBy="CreationTime", MaxResults=1)["ProcessingJobSummaries"][0]
    name = newest["ProcessingJobName"]

    def ended() -> bool:
        found: str = client.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
        return found == "Completed"

    until(ended, f"end of {name}")
    return monitoring.Constraints.from_s3_uri(f"{results}/analysis.json", sagemaker_session=session)


def batch_data_quality() -> dict[str, Any]:
    journey = Journey("bd")
    capture = _transform(journey, join=False)
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.csv"
        inputs.write_bytes(training_inputs())
        monitor = _data_monitor(journey, inputs)
    monitor.create_monitoring_schedule(
        batch_transform_input=_batch_input(capture),
        output_s3_uri=f"{journey.root}/reports",
        statistics=monitor.baseline_statistics(),
        constraints=monitor.suggested_constraints(),
        schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    journey.facts["execution"] = journey.execution(monitor)
    namespace = "aws/sagemaker/ModelMonitoring/data-metrics"
    name = monitor.monitoring_schedule_name
    journey.facts["alarm"] = journey.alarm(namespace, "feature_data_Day Mins", name, endpoint=False)
    journey.facts["gone"] = journey.clean(monitor)
    return journey.facts


def batch_model_quality() -> dict[str, Any]:
    journey = Journey("bm")
    capture = _transform(journey, join=True)
    answers = s3.S3Downloader.read_file(f"{journey.root}/out/{INPUT_ROWS.name}.out", sagemaker_session=session)
    truth = journey.label([line.split(",")[-2] for line in answers.splitlines()])
    monitor = monitoring.ModelQualityMonitor(**PLACE, **JOB)
    data = s3.S3Uploader.upload(str(SCORED), f"{journey.root}/data", sagemaker_session=session)
    monitor.suggest_baseline(
        baseline_dataset=data,
        dataset_format=monitoring.DatasetFormat.csv(header=True),
        output_s3_uri=f"{journey.root}/baseline",
        problem_type="BinaryClassification",
        probability_attribute="probability",
        ground_truth_attribute="label",
    ).wait(logs=False)
    monitor.create_monitoring_schedule(
        batch_transform_input=_batch_input(
            capture,
            probability_attribute="69",
            probability_threshold_attribute=0.5,
            start_time_offset="-PT6H",
            end_time_offset="-PT0H",
        ),
        ground_truth_input=truth,
        output_s3_uri=f"{journey.root}/reports",
        problem_type="BinaryClassification",
        constraints=f"{journey.root}/baseline/constraints.json",
        schedule_cron_expression=monitoring.CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    journey.facts["execution"] = journey.execution(monitor)
    namespace = "aws/sagemaker/ModelMonitoring/model-metrics"
    name = monitor.monitoring_schedule_name
    journey.facts["alarm"] = journey.alarm(namespace, "f2", name, endpoint=False)
    journey.facts["gone"] = journey.clean(monitor)
    return journey.facts


def _data_monitor(journey: Journey, table: Path) -> Any:
    """A monitor of data quality with a baseline of a table."""
    monitor = monitoring.DefaultModelMonitor(**PLACE, **JOB)
    monitor.suggest_baseline(
        baseline_dataset=str(table),
        dataset_format=monitoring.DatasetFormat.csv(header=True),
        output_s3_uri=f"{journey.root}/baseline",
        wait=True,
        logs=False,
    )
    journey.facts["statistics"] = monitor.baseline_statistics().body_dict
    journey.facts["constraints"] = monitor.suggested_constraints().body_dict
    return monitor


def _transform(journey: Journey, *, join: bool) -> str:
    """A transform of every row, captured; where the captures are."""
    source = f"{journey.root}/in"
    s3.S3Uploader.upload(str(CHURN / "test-dataset-input-cols.csv"), source, sagemaker_session=session)
    capture = f"{journey.root}/captured"
    kind = importlib.import_module(f"{ROOT}.inputs").BatchDataCaptureConfig
    if VERSION == 3:
        _model_3(journey)
    else:
        _model_2(journey).create()
    transformer = importlib.import_module(f"{ROOT}.transformer").Transformer(
        model_name=journey.name,
        instance_count=1,
        instance_type="ml.m4.xlarge",
        accept="text/csv",
        assemble_with="Line",
        output_path=f"{journey.root}/out",
        sagemaker_session=session,
    )
    transformer.transform(
        source,
        content_type="text/csv",
        split_type="Line",
        join_source="Input" if join else None,
        batch_data_capture_config=kind(destination_s3_uri=capture, generate_inference_id=join),
        wait=True,
        logs=False,
    )
    text = s3.S3Downloader.read_file(f"{journey.root}/out/{INPUT_ROWS.name}.out", sagemaker_session=session)
    place = 69 if join else 0
    journey.facts["predictions"] = [float(line.split(",")[place]) for line in text.splitlines()]
    return capture


def _batch_input(capture: str, **more: Any) -> Any:
    return monitoring.BatchTransformInput(
        data_captured_destination_s3_uri=capture,
        destination="/opt/ml/processing/input",
        dataset_format=monitoring.MonitoringDatasetFormat.csv(header=False),
        **more,
    )


if __name__ == "__main__":
    impatient()
    told({name: globals()[name]() for name in sys.argv[1:]})
