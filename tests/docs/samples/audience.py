"""From a list to an audience, and its slices to campaigns."""

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

FOLDER = Path(__file__).parent

with DAG("audience", schedule=None, params={"folder": "/tmp/audiences"}):  # noqa: S108
    # --8<-- [start:prepare]
    from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator

    audience = PrepareAudienceOperator(
        task_id="audience",
        source=str(FOLDER / "list.csv"),  # or s3://..., or a list of files
        exclude=[str(FOLDER / "opted_out.csv")],
        require={"aceita": ["sim", "yes", "true"]},
        columns={"telefone": "contact", "nome": "name"},
        default_country="MX",
        vendor="altur",
        shares=[50, 100],
        salt="winter",
        output="{{ params.folder }}/{{ run_id }}",  # or s3://...
    )
    # --8<-- [end:prepare]
    # --8<-- [start:launch]
    winter = {
        "agent_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "integration_id": "int_public_id",
        "integration_type": "phone_call",
    }
    first = AlturCreateCampaignOperator(
        task_id="first",
        name="Winter, first part {{ run_id }}",
        contacts="{{ ti.xcom_pull(task_ids='audience')['slices'][0]['path'] }}",
        wait_until="finished",
        max_failed_ratio=0.5,
        **winter,
    )
    rest = AlturCreateCampaignOperator(
        task_id="rest",
        name="Winter, the rest {{ run_id }}",
        contacts="{{ ti.xcom_pull(task_ids='audience')['slices'][1]['path'] }}",
        wait_until="finished",
        **winter,
    )
    audience >> first >> rest
    # --8<-- [end:launch]
    # --8<-- [start:reconcile]
    from airflow_provider_campaigns.operators.results import (
        CampaignOutcomesToObjectStorageOperator,
        ReconcileCampaignOperator,
    )

    outcomes = [
        CampaignOutcomesToObjectStorageOperator(
            task_id=f"outcomes_of_{launched.task_id}",
            conn_id="altur_default",
            campaign_id=launched.output,
            path=f"{{{{ params.folder }}}}/{{{{ run_id }}}}/{launched.task_id}.jsonl",
        )
        for launched in (first, rest)
    ]
    (
        rest
        >> outcomes
        >> ReconcileCampaignOperator(
            task_id="reconcile",
            manifest="{{ ti.xcom_pull(task_ids='audience')['manifest'] }}",
            outcomes=[one.path for one in outcomes],
            receipts={50: first.output["campaign"], 100: rest.output["campaign"]},
        )
    )
    # --8<-- [end:reconcile]

with DAG("capped_audience", schedule=None, params={"folder": "/tmp/audiences"}):  # noqa: S108
    # --8<-- [start:cap]
    PrepareAudienceOperator(
        task_id="audience",
        source=str(FOLDER / "list.csv"),
        columns={"telefone": "contact", "nome": "name"},
        default_country="MX",
        vendor="altur",
        cap={"ledger": "{{ params.folder }}/ledger", "messages": 2, "days": 7},
        pool="campaign_ledger",
        output="{{ params.folder }}/{{ run_id }}",
    )
    # --8<-- [end:cap]
