"""Amazon's command line from an empty bucket to a monitored endpoint and back; prints what it saw.

All commands are given to one process, because most of a command's time is its start.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from awscli.clidriver import create_clidriver
from common import ANALYZER, FINISHED, MODEL, ROLE, XGBOOST, rows, told, until

DRIVER = create_clidriver()
NAME = sys.argv[1]
BUCKET = f"{NAME}-bucket"
ROOT = f"s3://{BUCKET}"
INSIDE = "/opt/ml/processing"
NAMESPACE = "/aws/sagemaker/Endpoints/data-metrics"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
FOLDER = Path(tempfile.mkdtemp())
CODE = re.compile(r"An error occurred \((\w+)\)")


def command(*words: str, **options: Any) -> tuple[int, str, str]:
    """A command's code, output and errors; options that are no text are given as JSON."""
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", _text(value))]
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = DRIVER.main([*words, *given])
    return code, out.getvalue(), errors.getvalue()


def done(*words: str, **options: Any) -> Any:
    """What a command prints that must succeed: its document, or its text."""
    code, out, errors = command(*words, **options)
    if code != 0:
        raise RuntimeError(f"{' '.join(words)}: {code}\n{out}\n{errors}")
    return json.loads(out) if out.startswith("{") else out


def refused(*words: str, **options: Any) -> str:
    """The error code of a command that must fail."""
    code, out, errors = command(*words, **options)
    found = CODE.search(errors)
    if code == 0 or found is None:
        raise RuntimeError(f"{' '.join(words)} was not refused: {out}\n{errors}")
    return found[1]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def uploaded() -> dict[str, Any]:
    done("s3", "mb", ROOT)
    done("s3", "cp", str(MODEL), f"{ROOT}/model.tar.gz")
    (FOLDER / "rows.csv").write_text("age,plan\n31,a\n45,b\n52,a\n")
    done("s3", "cp", str(FOLDER / "rows.csv"), f"{ROOT}/data/rows.csv")
    listed = done("s3", "ls", f"{ROOT}/data/").split()
    return {
        "listed": listed[-2:],
        "account": done("sts", "get-caller-identity")["Account"],
        "role": done("iam", "get-role", role_name="commands")["Role"]["Arn"],
    }


def analysed() -> dict[str, Any]:
    """A baseline of the small table, to its end."""
    source, result = f"{INSIDE}/input/data", f"{INSIDE}/output"
    given = {"S3Uri": f"{ROOT}/data/rows.csv", "LocalPath": source, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    written = {"S3Uri": f"{ROOT}/baseline", "LocalPath": result, "S3UploadMode": "EndOfJob"}
    environment = {
        "dataset_format": json.dumps({"csv": {"header": True}}),
        "dataset_source": source,
        "output_path": result,
        "publish_cloudwatch_metrics": "Disabled",
    }
    done(
        "sagemaker",
        "create-processing-job",
        processing_job_name=NAME,
        processing_resources=CLUSTER,
        app_specification={"ImageUri": ANALYZER},
        role_arn=ROLE,
        environment=environment,
        processing_inputs=[{"InputName": "data", "S3Input": given}],
        processing_output_config={"Outputs": [{"OutputName": "result", "S3Output": written}]},
    )
    ended = until(_ended, "end of the processing job")
    done("s3", "cp", f"{ROOT}/baseline/constraints.json", str(FOLDER / "constraints.json"))
    streams = done(
        "logs",
        "describe-log-streams",
        log_group_name="/aws/sagemaker/ProcessingJobs",
        log_stream_name_prefix=f"{NAME}/",
    )
    constraints = json.loads((FOLDER / "constraints.json").read_text())
    return {
        "job": ended["ProcessingJobStatus"],
        "columns": [feature["name"] for feature in constraints["features"]],
        "streams": len(streams["logStreams"]),
    }


def _ended() -> Any:
    job = done("sagemaker", "describe-processing-job", processing_job_name=NAME)
    return job if job["ProcessingJobStatus"] in FINISHED else None


def deployed() -> dict[str, Any]:
    """The model served, and asked for every row in one request: enough of them for a verdict."""
    container = {"Image": XGBOOST, "ModelDataUrl": f"{ROOT}/model.tar.gz"}
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"{ROOT}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    done("sagemaker", "create-model", model_name=NAME, execution_role_arn=ROLE, primary_container=container)
    done(
        "sagemaker",
        "create-endpoint-config",
        endpoint_config_name=NAME,
        production_variants=[variant | {"InitialInstanceCount": 1}],
        data_capture_config=capture,
    )
    tags = [{"Key": "team", "Value": "churn"}]
    done("sagemaker", "create-endpoint", endpoint_name=NAME, endpoint_config_name=NAME, tags=tags)
    endpoint = done("sagemaker", "describe-endpoint", endpoint_name=NAME)
    (FOLDER / "rows.csv").write_text("\n".join(rows()))
    words = ("--endpoint-name", NAME, "--content-type", "text/csv", "--body", f"fileb://{FOLDER}/rows.csv")
    invoked = done("sagemaker-runtime", "invoke-endpoint", *words, str(FOLDER / "answer.txt"))
    return {
        "endpoint": endpoint["EndpointStatus"],
        "variant": invoked["InvokedProductionVariant"],
        "answers": [float(word) for word in re.split(r"[,\s]+", (FOLDER / "answer.txt").read_text().strip())],
        "tags": done("sagemaker", "list-tags", resource_arn=endpoint["EndpointArn"])["Tags"],
    }


def watched() -> dict[str, Any]:
    """A schedule over the endpoint until its first execution has ended, an alarm on it, and both removed."""
    output = {"MonitoringOutputs": [{"S3Output": {"S3Uri": f"{ROOT}/reports", "LocalPath": f"{INSIDE}/output"}}]}
    done(
        "sagemaker",
        "create-data-quality-job-definition",
        job_definition_name=NAME,
        data_quality_app_specification={"ImageUri": ANALYZER},
        data_quality_job_input={"EndpointInput": {"EndpointName": NAME, "LocalPath": f"{INSIDE}/input"}},
        data_quality_baseline_config={"ConstraintsResource": {"S3Uri": f"{ROOT}/baseline/constraints.json"}},
        data_quality_job_output_config=output,
        job_resources=CLUSTER,
        role_arn=ROLE,
    )
    config = {
        "MonitoringJobDefinitionName": NAME,
        "MonitoringType": "DataQuality",
        "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
    }
    done(
        "sagemaker",
        "create-monitoring-schedule",
        monitoring_schedule_name=NAME,
        monitoring_schedule_config=config,
    )
    facts = {"execution": until(_execution, "execution that had captures")} | _measured()
    done("sagemaker", "stop-monitoring-schedule", monitoring_schedule_name=NAME)
    listed = done("sagemaker", "list-monitoring-schedules", endpoint_name=NAME)["MonitoringScheduleSummaries"]
    facts["schedules"] = [(one["MonitoringScheduleName"], one["MonitoringScheduleStatus"]) for one in listed]
    done("sagemaker", "delete-monitoring-schedule", monitoring_schedule_name=NAME)
    facts["gone"] = refused("sagemaker", "describe-monitoring-schedule", monitoring_schedule_name=NAME)
    return facts


def _execution() -> Any:
    """The status of the first execution that ended and had captures; before them executions fail."""
    found = done("sagemaker", "list-monitoring-executions", monitoring_schedule_name=NAME)
    ended = [one["MonitoringExecutionStatus"] for one in found["MonitoringExecutionSummaries"]]
    return next((status for status in ended if status in FINISHED and status != "Failed"), None)


def _measured() -> dict[str, Any]:
    """What CloudWatch has of the schedule, and an alarm on a metric that never comes."""
    dimension = {"Name": "MonitoringSchedule", "Value": NAME}
    words = ("--comparison-operator", "GreaterThanThreshold", "--statistic", "Average", "--period", "600")
    done(
        "cloudwatch",
        "put-metric-alarm",
        *words,
        *("--evaluation-periods", "1", "--threshold", "0.5", "--treat-missing-data", "breaching"),
        alarm_name=NAME,
        namespace=NAMESPACE,
        metric_name="never",
        dimensions=[dimension],
    )
    metrics = done("cloudwatch", "list-metrics", namespace=NAMESPACE, dimensions=[dimension])["Metrics"]
    alarms = done("cloudwatch", "describe-alarms", alarm_names=[NAME])["MetricAlarms"]
    return {"metrics": len(metrics), "alarms": [(one["AlarmName"], one["Threshold"]) for one in alarms]}


if __name__ == "__main__":
    seen = uploaded() | analysed() | deployed() | watched()
    seen["unknown"] = refused("sagemaker", "list-training-jobs")
    told(seen)
