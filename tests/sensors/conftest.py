"""What tests of the sensors use."""

from task_states import airflow_says as airflow_says
