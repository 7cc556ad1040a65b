"""A ramp of SMS campaigns at Kore.ai: a contact list for each stage."""

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator

FOLDER = Path(__file__).parent
CALLING_HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Mexico_City",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}

with DAG("ramp_of_sms", schedule=None, params={"folder": "/tmp/audiences"}):  # noqa: S108
    audience = PrepareAudienceOperator(
        task_id="audience",
        source=str(FOLDER / "list.csv"),
        exclude=str(FOLDER / "opted_out.csv"),
        require={"aceita": ["sim", "yes", "true"]},
        columns={"telefone": "phoneNumber", "nome": "firstName"},
        default_country="MX",
        vendor="koreai",
        shares=[50, 100],
        salt="winter",
        output="{{ params.folder }}/{{ run_id }}",
    )
    # --8<-- [start:koreai]
    from airflow_provider_campaigns.operators.contact_lists import (
        KoreAICreateContactListOperator,
    )
    from airflow_provider_campaigns.operators.koreai import (
        KoreAICreateCampaignOperator,
    )
    from airflow_provider_campaigns.ramps import RampStage, campaign_ramp

    def sms(stage: RampStage) -> dict[str, object]:
        people = KoreAICreateContactListOperator(
            task_id="list",
            name=f"Winter, {stage} {{{{ dag_run.run_after | ts_nodash }}}}",
            contacts=stage.path,
        )
        return {
            "name": f"Winter, {stage}",
            "description": "Winter",
            "message": "Our winter offer",
            "contact_lists": [people.output["name"]],
            "dialing_strategy": {
                "callerId": {"phoneNumber": "+14155550100"},
                "callingHours": CALLING_HOURS,
            },
        }

    campaign_ramp(
        audience=audience,
        create=KoreAICreateCampaignOperator,
        arguments=sms,
        max_failed_ratio=0.05,
        on_inconclusive="ask",  # which each stage does here
    )
    # --8<-- [end:koreai]
