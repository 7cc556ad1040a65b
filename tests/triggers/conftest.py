"""What tests of the triggers use."""

from task_states import airflow_says as airflow_says
