"""
A mail when the campaign is launched, when it has finished, and when something went wrong, by Airflow's own notifier.

Any notifier will do; this one comes with Airflow. It sends through the connection ``smtp_default``. A notice that
cannot be sent is an error in the task's log; neither the launch nor the wait fails because of it.
"""

from __future__ import annotations

import pendulum
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG, Param

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

#: The receipt, which is there as soon as the campaign exists; a launch that was refused has none.
RECEIPT = "{% set campaign = ti.xcom_pull(task_ids='launch', key='campaign') or {} %}"


def mail(subject: str, text: str) -> SmtpNotifier:
    """Return a notice; both texts are templates that know the campaign."""
    return SmtpNotifier(
        from_email="airflow@example.com",
        to="{{ params.mail_to }}",
        subject=RECEIPT + subject,
        html_content=RECEIPT + text,
    )


with DAG(
    "example_notifier",
    dag_display_name="Example: notices by mail",
    tags=["campaigns", "kinbox", "notices"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Reminder", type="string", minLength=1, description="What the campaign is called"),
        "message": Param(
            "Your appointment is tomorrow.",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read",
        ),
        "mail_to": Param("campaigns@example.com", type="string", description="Who gets the notices"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    launch = KinboxCreateCampaignOperator(
        task_id="launch",
        name="{{ params.name }} {{ run_id }}",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads/reminder.csv?leads=60",
        message="{{ params.message }}",
        on_success_callback=[
            mail(
                "Campaign {{ campaign.id }} was launched",
                "<p>{{ campaign.name | e }} at {{ campaign.vendor }}, mark {{ campaign.mark }}.</p>",
            )
        ],
        on_failure_callback=[
            mail(
                "The launch failed, {% if campaign %}campaign {{ campaign.id }} exists{% else %}no campaign is known"
                "{% endif %}",
                "<p>{{ exception | string | e }}</p>",
            )
        ],
    )
    finished = KinboxCampaignSensor(
        task_id="finished",
        campaign_id=launch.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
        on_success_callback=[
            mail(
                "Campaign {{ campaign.id }} has finished",
                "<p>{% for name, count in ti.xcom_pull(task_ids=ti.task_id).counts.items() %}"
                "{{ name }}: {{ count }}<br>{% endfor %}</p>",
            )
        ],
        on_failure_callback=[
            mail("Campaign {{ campaign.id }} did not finish", "<p>{{ exception | string | e }}</p>"),
        ],
    )
